"""One telephone that costs nothing and need not be sent, of which there is one; and people who want it. Or, with VOUCHER=1,
ten of them that cost something, and a voucher that can be used once."""
import os
from datetime import timedelta
from decimal import Decimal

import django

django.setup()

from django.contrib.auth.models import User
from django.utils import timezone
from oscar.core.loading import get_model

has_voucher = os.environ.get("VOUCHER") == "1"
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
    product=product,
    partner=Partner.objects.create(name="we"),
    partner_sku="1",
    price=Decimal("10.00" if has_voucher else "0.00"),
    num_in_stock=10 if has_voucher else 1,
)
for number in range(1, 27):
    User.objects.create_user(f"buyer{number}", f"buyer{number}@example.com", "password")

if has_voucher:
    Range, Condition = get_model("offer", "Range"), get_model("offer", "Condition")
    Benefit, Offer = get_model("offer", "Benefit"), get_model("offer", "ConditionalOffer")
    everything = Range.objects.create(name="everything", includes_all_products=True)
    offer = Offer.objects.create(
        name="half",
        offer_type=Offer.VOUCHER,
        condition=Condition.objects.create(range=everything, type=Condition.COUNT, value=1),
        benefit=Benefit.objects.create(range=everything, type=Benefit.PERCENTAGE, value=50),
    )
    now = timezone.now()
    voucher = get_model("voucher", "Voucher").objects.create(
        name="half",
        code="ONCE",
        usage="Single use",
        start_datetime=now - timedelta(days=1),
        end_datetime=now + timedelta(days=1),
    )
    voucher.offers.add(offer)
