# What a shop of Cartridge is told about the place where it runs. Where its database is, the environment says.
import os

SECRET_KEY = NEVERCACHE_KEY = "not a secret"
# The default is the locale of the machine, which has to say how many digits a price has.
SHOP_CURRENCY_LOCALE = "en_US.UTF-8"
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"],
        "NAME": os.environ["PGDATABASE"],
    }
}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if os.environ.get("CURED") == "1":
    ROOT_URLCONF = "cured_urls"
    DATABASES["default"]["ATOMIC_REQUESTS"] = True
