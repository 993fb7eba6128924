"""One event, one product, one quota with one ticket. Buyers pay what they want."""
from datetime import timedelta
from decimal import Decimal

from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import Event, Item, Organizer, Quota

with scopes_disabled():
    organizer = Organizer.objects.create(name="We", slug="we")
    event = Event.objects.create(
        organizer=organizer, name="Concert", slug="concert", currency="EUR", date_from=now() + timedelta(days=30),
        plugins="pretix.plugins.banktransfer", live=False, is_public=True,
    )
    event.settings.timezone = "UTC"
    event.settings.payment_banktransfer__enabled = True
    item = Item.objects.create(event=event, name="Ticket", default_price=Decimal("1.00"), free_price=True, admission=True, active=True)
    quota = Quota.objects.create(event=event, name="Seats", size=1)
    quota.items.add(item)
    event.live = True
    event.save()
