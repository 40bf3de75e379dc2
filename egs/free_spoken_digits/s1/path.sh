# shellcheck shell=bash
# The environment of this recipe; everything in it is made by utils/setup.sh.
. utils/path.sh
