#!/bin/sh
# Headwater out of a bundle: bin/node beside this file runs app/ one level up, wherever the bundle lies. Flags and
# environment are those of `npm start`: they keep a gateway small on a board with little memory.
bundle=$(dirname "$(dirname "$(readlink -f "$0")")")
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072
exec "$bundle/bin/node" --max-semi-space-size=8 "$bundle/app/src/edge/main.js" "$@"
