#!/bin/sh
# The tables, the data that RT begins with, agents who may take tickets, and a ticket that has no owner.
set -e
export RT_SITE_CONFIG_DIR="$PWD/config"
rt-setup-database-5 --action init --skip-create --dba "$DB_USER" --dba-password "$DB_PASSWORD"
perl -I /usr/share/request-tracker5/lib fill.pl
