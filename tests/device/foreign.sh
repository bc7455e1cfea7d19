#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# foreign.sh arm64|armhf AIRLOCK: builds airlock-device for a device's processor and runs the scenarios of this folder
# with it, under QEMU. AIRLOCK is the program for this computer, whose sticks the device gets.
#
# The static libraries of the other architecture are downloaded as Debian's packages and unpacked below build/: nothing
# is installed, and this computer's package lists stay as they are.
set -euo pipefail
arch=${1-} airlock=$(realpath "${2-}")
cd "$(dirname "$0")/../.."
work=$PWD/build/foreign-$arch

case $arch in
  arm64) triplet=aarch64-linux-gnu processor=aarch64 qemu=qemu-aarch64 ;;
  armhf) triplet=arm-linux-gnueabihf processor=armv7 qemu=qemu-arm ;;
  *)
    echo 'usage: foreign.sh arm64|armhf AIRLOCK' >&2
    exit 2
    ;;
esac

# apt-get that knows the other architecture, with lists of its own.
foreign_apt_get() {
  APT_CONFIG=$work/apt.conf apt-get -qq "$@"
}

fetch_libraries() {
  local package
  [ ! -e "$work/libraries" ] || return 0
  mkdir -p "$work"/packages "$work"/lists/partial "$work"/cache/archives/partial
  cat >"$work/apt.conf" <<END
APT::Architectures { "$(dpkg --print-architecture)"; "$arch"; };
APT::Sandbox::User "";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Acquire::Retries "3";
END
  foreign_apt_get update || echo 'the package lists could not be renewed as a whole; going on with what is there'
  (
    cd "$work/packages"
    rm -rf ./*.deb ../libraries.part
    foreign_apt_get download {libssl,libsodium,libzstd,libsqlite3}-dev:"$arch"
    for package in ./*.deb; do dpkg -x "$package" "$work/libraries.part"; done
  )
  mv "$work/libraries.part" "$work/libraries"
}

build() {
  local libraries=$work/libraries/usr
  PKG_CONFIG_LIBDIR=$libraries/lib/$triplet/pkgconfig cmake -G Ninja -S . -B "$work" --log-level=WARNING \
    -DCMAKE_BUILD_TYPE=Release -DAIRLOCK_DEVICE_ONLY=ON -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_SYSTEM_PROCESSOR=$processor -DCMAKE_C_COMPILER=$triplet-gcc -DCMAKE_LIBRARY_ARCHITECTURE=$triplet \
    -DCMAKE_FIND_ROOT_PATH="$work/libraries" \
    -DCMAKE_C_FLAGS="-isystem $libraries/include -isystem $libraries/include/$triplet" >/dev/null
  ninja -C "$work" --quiet airlock-device
  $triplet-strip -o "$work/airlock-device" "$work/usb-tools/device/airlock-device"
}

check_size() {
  local size
  size=$(stat -c %s "$work/airlock-device")
  echo "airlock-device for $arch: $size bytes"
  [ "$size" -lt $((8 << 20)) ]
}

run_scenarios() {
  local scenario
  printf '#!/bin/sh\nexec %s "%s" "$@"\n' $qemu "$work/airlock-device" >"$work/run"
  chmod +x "$work/run"
  for scenario in apply loop next_round; do
    AIRLOCK=$airlock AIRLOCK_DEVICE=$work/run /usr/bin/python3 -B tests/device/$scenario.py
  done
}

fetch_libraries
build
check_size
run_scenarios
