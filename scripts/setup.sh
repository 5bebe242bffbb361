#!/usr/bin/env bash
# Sees to what Aldine needs from the system. Quick and silent when everything is there. On Debian and its
# relatives it installs what is missing if it may; elsewhere, or without the right, it says what to install.
# It fails only without Go or PostgreSQL: a browser and fonts are needed by browser tests alone.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

has_postgres() {
	local dir
	for dir in /usr/lib/postgresql/{15,16,17}/bin; do
		[ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && return 0
	done
	case "$(pg_ctl --version 2>/dev/null || true)" in
	*' 15.'* | *' 16.'* | *' 17.'*) [ -x "$(dirname "$(readlink -f "$(command -v pg_ctl)")")/postgres" ] ;;
	*) return 1 ;;
	esac
}

has_browser() {
	command -v chromium || command -v chromium-browser || command -v google-chrome
} >/dev/null 2>&1

has_fonts() {
	[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || [ -n "$(fc-list 'DejaVu Sans' 2>/dev/null)" ]
}

missing() {
	has_postgres || echo postgresql
	has_browser || echo chromium
	has_fonts || echo fonts-dejavu-core
}

# as_root runs a command as root: "" if we are root, sudo if it does not ask, and fails otherwise.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
	command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || { command -v sudo && sudo -n true; } >/dev/null 2>&1; }
}

# Debian's package would create and start a server of its own, which Aldine has no use for.
no_main_cluster() {
	dpkg -s postgresql-common >/dev/null 2>&1 && return
	as_root mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.d/aldine.conf >/dev/null
}

check_go() {
	local wanted
	wanted=$(awk '$1 == "go" {print $2}' go.mod)
	if ! command -v go >/dev/null; then
		say "Go is missing. Install Go $wanted or later: https://go.dev/doc/install"
		exit 1
	fi
	# In this folder the command checks go.mod, and fetches the right version itself where that is allowed.
	if ! go version >/dev/null 2>&1; then
		say "Go $wanted or later is needed, and $(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || echo 'an older one') is installed. See https://go.dev/doc/install"
		exit 1
	fi
}

check_go
packages=$(missing | paste -sd ' ')
[ -n "$packages" ] || exit 0

if may_install; then
	say "installing: $packages"
	export DEBIAN_FRONTEND=noninteractive
	case "$packages" in *postgresql*) no_main_cluster ;; esac
	as_root apt-get update -qq || say 'the package lists could not be refreshed; trying with the old ones'
	for package in $packages; do # one by one: a missing browser must not cost the database
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
			say "$package could not be installed"
	done
	packages=$(missing | paste -sd ' ')
	[ -n "$packages" ] || exit 0
fi

if command -v apt-get >/dev/null; then
	say 'missing; an administrator should run:'
	say "  apt-get install --no-install-recommends $packages"
else
	say "missing: $packages (by Debian's names); install them with your system's package manager"
fi
if ! has_postgres; then
	say 'PostgreSQL 15 to 17 (the server programs; no running server) is needed to go on'
	exit 1
fi
say 'going on: only browser tests need what is missing'
