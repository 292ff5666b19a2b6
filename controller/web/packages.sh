#!/bin/sh
# Fetches the packages that the interface is built with. Where this machine cannot, says why and ends with 3.
cd "$(dirname "$0")" || exit
if ! command -v npm >/dev/null; then
  echo "npm is not installed"
  exit 3
fi
if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
  echo "Node $(node --version) is too old, 20.19 is needed"
  exit 3
fi
[ node_modules -nt package-lock.json ] && exit
log=$(mktemp)
trap 'rm -f "$log"' EXIT
npm ci --no-audit --no-fund --prefer-offline --fetch-retries=1 >"$log" 2>&1 && touch node_modules && exit
if grep -Eq 'code (EAI_AGAIN|ENOTFOUND|ENOTCACHED|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT)' "$log"; then
  echo "npm's registry cannot be reached"
  exit 3
fi
cat "$log" >&2
exit 1
