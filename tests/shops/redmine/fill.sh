#!/bin/sh
# The tables, the data that Redmine begins with, and visitors who may register without a confirmation.
set -e
cd /usr/share/redmine
rails db:migrate > /dev/null
REDMINE_LANG=en rake redmine:load_default_data
rails runner 'Setting.self_registration = "3"'
