"""The shop, which locks a product's variations before it looks whether one is left."""
from cartridge.shop.forms import AddProductForm
from cartridge.shop.views import product
from django.urls import re_path
from shop_site.urls import *  # noqa: F403


class LockingForm(AddProductForm):
    def clean(self):
        list(self._product.variations.select_for_update())
        return super().clean()


urlpatterns.insert(0, re_path(r"^shop/product/(?P<slug>.*)/$", product, {"form_class": LockingForm}))  # noqa: F405
