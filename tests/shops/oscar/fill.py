"""One telephone that costs nothing and need not be sent, of which there is one; and two who want it."""
from decimal import Decimal

import django

django.setup()

from django.contrib.auth.models import User
from oscar.core.loading import get_model

Country = get_model("address", "Country")
Product, ProductClass = get_model("catalogue", "Product"), get_model("catalogue", "ProductClass")
Partner, StockRecord = get_model("partner", "Partner"), get_model("partner", "StockRecord")

Country.objects.create(
    iso_3166_1_a2="GB", iso_3166_1_a3="GBR", iso_3166_1_numeric="826", printable_name="UK", name="UK",
    is_shipping_country=True,
)
kind = ProductClass.objects.create(name="telephone", track_stock=True, requires_shipping=False)
product = Product.objects.create(upc="last", title="The last telephone", product_class=kind)
StockRecord.objects.create(
    product=product, partner=Partner.objects.create(name="we"), partner_sku="1", price=Decimal("0.00"), num_in_stock=1
)
for number in range(1, 27):
    User.objects.create_user(f"buyer{number}", f"buyer{number}@example.com", "password")
