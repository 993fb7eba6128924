"""The cure: no buyer places an order for what another is placing one for, and what is left is looked at again."""
from django import http
from django.contrib import messages
from django.db import transaction
from django.urls import reverse
from oscar.apps.checkout import views
from oscar.core.loading import get_model

StockRecord = get_model("partner", "StockRecord")


class PaymentDetailsView(views.PaymentDetailsView):
    def submit(self, user, basket, *args, **kwargs):
        with transaction.atomic():
            wanted = {line.stockrecord_id: line.quantity for line in basket.all_lines()}
            # In an order of their own, so that two who want the same never wait for each other.
            records = StockRecord.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
            if any(record.net_stock_level < wanted[record.pk] for record in records):
                messages.error(self.request, "Another buyer was faster.")
                return http.HttpResponseRedirect(reverse("basket:summary"))
            return super().submit(user, basket, *args, **kwargs)
