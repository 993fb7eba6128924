"""One telephone, of which there is one."""
from cartridge.shop.models import Product

product = Product.objects.create(title="The last telephone", slug="last", available=True, unit_price=10, num_in_stock=1, sku="1")
product.variations.create(sku="1", unit_price=10, num_in_stock=1, default=True)
product.copy_default_variation()
