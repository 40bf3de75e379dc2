#!/usr/bin/env bash
# Make a recipe, egs/NAME/s1, for a corpus of your own (utils/new_recipe.py, whose --help it shows).
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
"$here/setup.sh"
# shellcheck source=utils/path.sh
. "$here/path.sh"
exec "$here/new_recipe.py" "$@"
