# shellcheck shell=bash
# Every Debian package that anything here needs, in one place. Nothing is fetched from elsewhere.
# The image of deploy/compose takes its lists from here too, so they need nothing else.
# shellcheck disable=SC2034

packages_build=(
  build-essential cmake ninja-build ccache mold pkg-config protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libgrpc++-dev libabsl-dev libssl-dev libpq-dev prometheus-cpp-dev libc-ares-dev libre2-dev libyaml-cpp-dev
  nlohmann-json3-dev libcli11-dev libnghttp2-dev libcurl4-openssl-dev
)
packages_runtime=(
  ca-certificates libgrpc++1.51 libprotobuf32 libabsl20220623 libssl3 libpq5 libc-ares2 libre2-9 libnghttp2-14 libcurl4
  libyaml-cpp0.7 libprometheus-cpp-core1.0 libprometheus-cpp-pull1.0
)
packages_up=(postgresql curl ca-certificates iproute2 openssl)
packages_test=(catch2 prometheus shellcheck jq faketime)
packages_attack=(slowhttptest)
packages_conformance=(node-llhttp libboost1.81-dev)
packages_fuzz=(clang-19 libclang-rt-19-dev "${packages_conformance[@]}")
packages_bench=(wrk nginx-light haproxy nghttp2-client strace python3-venv)

# Prints those of the given packages that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || printf '%s\n' "$name"
  done
}

# Keeps packages from creating or starting services: the database and the rest live in the state folder.
quiet_services() {
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
}

# Packages enable their services for the next start of the machine; none of ours is to run by itself.
services_off() {
  local name
  have systemctl || return 0
  for name in "$@"; do
    case $name in
      prometheus | nginx-light | haproxy) as_root systemctl disable -q "${name%-light}" 2>/dev/null || true ;;
    esac
  done
}

# install_packages LOG NAME...: installs what is missing; does nothing, and asks nobody, where nothing is.
install_packages() {
  local log=$1 missing
  shift
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    say "all $# packages are installed"
    return
  fi
  have apt-get || die "these Debian packages are missing and there is no apt-get: ${missing[*]}"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  quiet_services
  is_root || as_root true
  quietly "apt-get update" "$log" as_root apt-get update -q
  quietly "apt-get install" "$log" apt_install "${missing[@]}"
  services_off "${missing[@]}"
}

# A policy-rc.d of our own, while apt runs, keeps maintainer scripts from starting services.
apt_install() {
  local policy=/usr/sbin/policy-rc.d ours=no code=0
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    ours=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" || code=$?
  [ $ours = no ] || as_root rm -f $policy
  return $code
}
