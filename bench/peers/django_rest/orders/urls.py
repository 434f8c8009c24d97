"""Where the service answers it."""

from django.urls import path

from bench.peers.django_rest.orders import views

urlpatterns = [path("orders", views.place), path("readyz", views.ready)]
