"""Where the service answers it."""

from django.urls import path

from bench.peers.django_rest.products import views

urlpatterns = [
    path("ping/<int:n>", views.ping),
    path("readyz", views.ready),
    path("products", views.list_products),
    path("products/<int:product_id>", views.get_product),
    path("prices", views.get_prices),
    path("reservations", views.reserve),
]
