#!/bin/sh
# npm run test:one FILE...: builds the project, and runs the tests in these files (as in test/core/pipe.test.ts).
set -eu
if [ $# = 0 ]; then
  echo 'usage: npm run test:one FILE.test.ts...' >&2
  exit 2
fi
for file in "$@"; do
  if [ "${file%.test.ts}" = "$file" ] || [ ! -f "$file" ]; then
    echo "expected a test such as test/core/pipe.test.ts, not $file" >&2
    exit 2
  fi
  shift
  file=dist/${file#./}
  set -- "$@" "${file%.ts}.js"
done
npm run --silent build
exec tap "$@"
