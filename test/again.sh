#!/bin/sh
# again.sh FOLDER COMMAND...: runs a test file. A red one is run once more, and its second result counts; what it said first
# stands above that as comments, so that nobody overlooks it. That is for a machine that had no time for a deadline. In one run
# three files at most get it, which FOLDER counts: what is broken is red twice, and what breaks much gets no second try.
set -u
folder=$1
shift
out=$(mktemp "$folder/out.XXXXXX")
may_try_again() {
  [ "${PIPEGATE_THOROUGH:-}" != 1 ] || return
  mkdir "$folder/1" 2>/dev/null || mkdir "$folder/2" 2>/dev/null || mkdir "$folder/3" 2>/dev/null
}
"$@" >"$out"
code=$?
if [ $code != 0 ] && may_try_again; then
  for name; do :; done
  echo "# red, and run again: $name"
  sed 's/^/# /' "$out"
  "$@" >"$out"
  code=$?
fi
cat "$out"
exit $code
