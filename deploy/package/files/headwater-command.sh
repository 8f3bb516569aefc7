#!/bin/sh
# The command of an installed gateway: its configuration is the one in /etc unless the caller names another.
: "${HEADWATER_CONFIG=/etc/headwater/headwater.yaml}"
export HEADWATER_CONFIG
exec /usr/lib/headwater/bin/headwater "$@"
