#!/bin/sh
# Makes this unpacked version the one that runs: ./install.sh. Run again in the folder of another version, it goes on or back to that.
set -eu
here=$(dirname "$(readlink -f "$0")")
home=/opt/andon-edge
config=/etc/andon-edge
data=/var/lib/andon-edge

fail() {
  echo "install.sh: $1" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || fail "run it as root: sudo $0"
[ "$(dirname "$here")" = "$home" ] || fail "this folder is $here: unpack the archive in $home"
LD_LIBRARY_PATH=$here/lib "$here/bin/node" --version >/dev/null 2>&1 ||
  fail "the program in $here/bin does not run here: this machine is $(uname -m)"

getent passwd andon-edge >/dev/null 2>&1 || grep -q '^andon-edge:' /etc/passwd ||
  useradd --system --user-group --no-create-home --home-dir "$data" --shell /usr/sbin/nologin andon-edge
install -d -m 0750 -o root -g andon-edge "$config"
install -d -m 0700 -o andon-edge -g andon-edge "$data"

if [ -e "$config/edge.yaml" ]; then
  # A version that cannot read the file of this box does not replace one that can.
  "$here/andon-edge" check --offline "$config/edge.yaml" || fail "edge.yaml has faults for this version; nothing was changed"
else
  install -m 0640 -o root -g andon-edge "$here/edge.yaml" "$config/edge.yaml"
fi

ln -sfn "$here" "$home/next"
mv -T "$home/next" "$home/current"
ln -sfn "$home/current/andon-edge" /usr/local/bin/andon-edge
mkdir -p /etc/systemd/system
install -m 0644 "$here/systemd/andon-edge.service" /etc/systemd/system/andon-edge.service

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet andon-edge
  systemctl --quiet is-active andon-edge && systemctl restart andon-edge
fi
echo "andon-edge: $(basename "$here") is current. Next: edit $config/edge.yaml, andon-edge check $config/edge.yaml, systemctl start andon-edge"
