#!/bin/sh
# Brings the stack of docker-compose.webui.yml up: finds the engine, looks at what compose and buildx can do, writes users,
# groups and socket of this machine to .env, and builds the images unless those of this version are there.
# Arguments go to `docker compose up`.
set -eu
cd "$(dirname "$0")/.."
docker=${DOCKER:-docker}
export VERSION="${VERSION:-dev}"

say() { echo "make up: $*" >&2; }
fail() { say "$*"; exit 2; }
compose() { "$docker" compose --file docker-compose.webui.yml "$@"; }
# Versions such as "dev" are those of somebody who built it himself, and are not judged.
at_least() {
  case ${1#v} in [0-9]*) [ "$(printf '%s\n%s\n' "$2" "${1#v}" | sort -V | head -n 1)" = "$2" ] ;; esac
}

command -v "$docker" >/dev/null ||
  fail "there is no Docker client; install Docker with its compose plugin, or use \`make run\`, which needs none"

# The engine is that of the docker command: DOCKER_HOST, else its context. Only where neither names one, rootless Docker and
# Podman are looked for at their usual sockets. The controller looks in the same order.
if ! reason=$("$docker" version --format '{{.Server.Version}}' 2>&1 >/dev/null); then
  found=
  if [ -z "${DOCKER_HOST:-}" ] && [ "$("$docker" context inspect --format '{{.Name}}' 2>/dev/null)" = default ]; then
    for socket in "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock" /run/podman/podman.sock \
      "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/podman/podman.sock"; do
      if [ -S "$socket" ] && DOCKER_HOST=unix://$socket "$docker" version >/dev/null 2>&1; then
        found=unix://$socket
        break
      fi
    done
  fi
  [ -n "$found" ] || fail "no Docker engine answers: $reason
Start one, or use \`make run\`, which needs none."
  export DOCKER_HOST="$found"
  say "the engine that answers is $found; for other commands (docker, make images): export DOCKER_HOST=$found"
fi
engine=$("$docker" context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || engine=${DOCKER_HOST:-unix:///var/run/docker.sock}
case $engine in
unix://* | npipe://* | tcp://127.* | tcp://localhost:* | tcp://\[::1\]:*) ;;
*) fail "the engine at $engine is on another machine, and its containers cannot see the folder ./data of this one.
Clone and start it there, take an engine of this machine (\`docker context use default\`), or use \`make run\`, which needs none." ;;
esac

version=$("$docker" compose version --short 2>/dev/null) || fail "the Docker client has no compose plugin.
Install docker-compose-plugin, 2.23.1 or later (docker-compose 1.x and podman-compose cannot read the file), or use \`make run\`."
at_least "$version" 2.23.1 || fail "compose $version is too old, 2.23.1 is needed; update docker-compose-plugin, or use \`make run\`."

# keep writes a line to .env, unless a person has.
keep() {
  if ! grep -q "^$1=" .env; then
    echo "$1=$2" >>.env
  elif [ "$(sed -n "s/^$1=//p" .env | tail -n 1)" != "$2" ]; then
    say ".env has $(grep "^$1=" .env | tail -n 1); for this user and engine it would be $1=$2"
  fi
}
[ -e .env ] || (umask 077 && : >.env)
[ -z "$(tail -c 1 .env)" ] || echo >>.env # the last line of some editors has no end
socket=/var/run/docker.sock
[ "$(uname)" = Linux ] && case $engine in unix://*) socket=${engine#unix://} ;; esac
user=$(id -u) group=$(id -g)
# Root in a container of a rootless engine is the user of this machine to whom the engine belongs. Podman tells it by its socket alone.
owner=0
[ "$(uname)" != Linux ] || [ ! -S "$socket" ] || owner=$(stat -L -c %u "$socket")
case $owner$("$docker" info --format '{{.SecurityOptions}}') in
0*rootless* | [1-9]*) user=0 group=0 ;;
esac
keep TRAFFICINATOR_UID "$user"
keep TRAFFICINATOR_GID "$group"
[ "$socket" = /var/run/docker.sock ] && ! grep -q ^DOCKER_SOCKET= .env || keep DOCKER_SOCKET "$socket"
if [ "$user" = 0 ] || [ "$(uname)" != Linux ]; then
  keep DOCKER_GID 0 # elsewhere the engine is in a virtual machine, whose socket belongs to root
elif [ -S "$socket" ]; then
  keep DOCKER_GID "$(stat -L -c %g "$socket")"
fi

# What will lie there is for this user alone. A folder of somebody else is the controller's to complain of.
chmod go= data/* 2>/dev/null || :

# made is the version that an image was made from, nothing where it is not there.
made() {
  "$docker" image inspect --format '{{with index .Config.Labels "org.opencontainers.image.version"}}{{.}}{{else}}of no version{{end}}' "$1" 2>/dev/null
}
there=yes current=yes
for image in $(compose config --images); do
  of=$(made "$image") || there=no
  case $of in "$VERSION") ;; *) current=no ;; esac
done
case $VERSION in dev | *-dirty) current=no ;; esac
builder=$("$docker" buildx version 2>/dev/null | sed 's/^[^ ]* v\{0,1\}\([^ ]*\).*/\1/')
if [ $there$current = yesyes ]; then
  say "starts from the images of $VERSION that are there"
elif [ -n "$builder" ] && at_least "$builder" 0.17; then
  compose build || fail "the images cannot be built. Where no image registry can be reached: \`make images\` (Go, a C compiler,
Node), then: docker compose -f docker-compose.webui.yml up --no-build"
elif [ $there = yes ]; then
  say "starts from the images that are there ($of), since compose builds with buildx 0.17 or later and found ${builder:-none}; \`make images\` makes new ones"
else
  fail "the images are not there, and compose builds them with buildx 0.17 or later, of which it found ${builder:-none}.
Install docker-buildx-plugin, or make them with \`make images\` (Go, a C compiler, Node); then \`make up\` again."
fi
exec "$docker" compose --file docker-compose.webui.yml up --no-build "$@"
