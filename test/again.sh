#!/bin/sh
# again.sh FOLDER NODE FILE: runs a test file. A red one is run once more, and its second result counts; what it said first stands
# above that as comments, so that nobody overlooks it. That is for a machine that had no time for a deadline. In one run
# three files at most get it, which FOLDER counts: what is broken is red twice, and what breaks much gets no second try.
set -u
folder=$1
node=$2
file=$3
# tap puts its hooks there.
unset NODE_OPTIONS
out=$(mktemp "$folder/out.XXXXXX")
may_try_again() {
  [ "${PIPEGATE_THOROUGH:-}" != 1 ] || return
  mkdir "$folder/1" 2>/dev/null || mkdir "$folder/2" 2>/dev/null || mkdir "$folder/3" 2>/dev/null
}
# Source maps are read for each module, and only wanted by what is red.
"$node" "$file" >"$out"
code=$?
if [ $code != 0 ] && may_try_again; then
  echo "# red, and run again: $file"
  sed 's/^/# /' "$out"
  "$node" --enable-source-maps "$file" >"$out"
  code=$?
fi
cat "$out"
exit $code
