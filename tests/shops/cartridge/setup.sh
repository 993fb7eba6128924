#!/bin/sh
# The project that Cartridge's documentation begins with, its tables, and a telephone.
set -e
rm -rf project
mkdir project
mezzanine-project -a cartridge shop_site project
cp local_settings.py project/shop_site/
cp cured_urls.py project/
cd project
python3 manage.py migrate --verbosity 0
python3 manage.py shell < ../fill.py
