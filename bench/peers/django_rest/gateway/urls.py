"""Where the gateway answers it."""

from django.urls import path

from bench.peers.django_rest.gateway import views

urlpatterns = [
    path("ping/<int:n>", views.ping),
    path("readyz", views.ready),
    path("api/products", views.list_products),
    path("api/products/<int:product_id>", views.get_product),
    path("api/orders", views.place),
]
