#!/bin/sh
# Makes this unpacked version the one that runs. In the folder of another version it goes on, or back, to that one.
set -eu
here=$(dirname "$(readlink -f "$0")")
home=/opt/andon-edge
data=/var/lib/andon-edge

fail() {
  echo "install.sh: $1" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || fail "run it as root: sudo $0"
[ "$(dirname "$here")" = "$home" ] || fail "this folder is $here: unpack the archive in $home"
LD_LIBRARY_PATH=$here/lib "$here/bin/node" --version >/dev/null ||
  fail "the program in $here/bin does not run here: this machine is $(uname -m)"

id -u andon-edge >/dev/null 2>&1 ||
  useradd --system --user-group --no-create-home --home-dir "$data" --shell /usr/sbin/nologin andon-edge
install -d -m 0750 -o andon-edge -g andon-edge "$data"

# A version that cannot read the file of this box does not replace one that can.
if [ -e "$data/edge.yaml" ] && ! "$here/andon-edge" check --offline "$data/edge.yaml"; then
  fail "$data/edge.yaml has faults for this version; nothing was changed"
fi

ln -sfn "$here" "$home/next"
mv -T "$home/next" "$home/current"
mkdir -p /usr/local/bin /etc/systemd/system
ln -sfn "$home/current/andon-edge" /usr/local/bin/andon-edge
install -m 0644 "$here/systemd/andon-edge.service" /etc/systemd/system/andon-edge.service

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet andon-edge
  systemctl try-restart andon-edge
fi
echo "$(basename "$here") is current. What comes next: $home/current/README.md"
