#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Holds every #include of the product against the layer order: a folder may include its own headers, base/, crypto/
# (crypto/ itself: base/) and those of the folders named here; third-party headers only where they are named. Prints each
# line that does not fit; exit 1 when there is one.
set -u
cd "$(dirname "$0")/.." || exit 1

declare -A may=(
  [base]="" [crypto]="" [uptane]="" [net]="" [bundle-format]=""
  [cloud]="net" [store]="" [usb-tools]="bundle-format uptane" [device]="bundle-format uptane usb-tools"
  [fetch]="cloud net store uptane bundle-format"
  [account]="cloud store uptane"
  [lockbox]="fetch cloud store uptane bundle-format usb-tools"
  [report]="cloud net store uptane usb-tools"
  [cli]="account lockbox report store usb-tools"
)
declare -A third_party=(
  [curl]="net" [sodium]="crypto cli" [openssl]="crypto" [zstd]="bundle-format fetch" [zlib]="fetch" [isa-l]="fetch" [archive]="cloud fetch"
  [ostree]="fetch" [yaml]="fetch" [sqlite3]="report usb-tools device" [blkid]="usb-tools" [libudev]="usb-tools"
  [systemd]="usb-tools" [sqfs]="usb-tools" [cjson]="cloud store account lockbox cli report usb-tools" [ini]="store"
)
bad=0

complain() {
  echo "$1: $2"
  bad=1
}

check_own() { # FILE FOLDER INCLUDED_FOLDER
  case " $2 base crypto ${may[$2]} " in *" $3 "*) ;; *) complain "$1" "$2 may not include $3/" ;; esac
  if [ "$2" = base ] && [ "$3" = crypto ]; then complain "$1" "base may not include crypto/"; fi
}

check_third_party() { # FILE FOLDER HEADER
  local library=${3%%/*}
  library=${library%.h}
  case $library in zdict | zstd_errors) library=zstd ;; archive_entry) library=archive ;; esac
  [ -n "${third_party[$library]+known}" ] || return 0 # libc and kernel
  case " ${third_party[$library]} " in *" $2 "*) ;; *) complain "$1" "$2 may not include <$3>" ;; esac
}

while IFS= read -r file; do
  folder=${file#src/}
  case $folder in usb-tools/device/*) folder=device ;; *) folder=${folder%%/*} ;; esac
  if [ -z "${may[$folder]+known}" ]; then
    complain "$file" "the folder $folder is not in the layer order"
    continue
  fi
  while IFS= read -r line; do
    header=$(sed -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]*)[>"].*/\1/' <<<"$line")
    case $line in
      *'<'*) check_third_party "$file" "$folder" "$header" ;;
      *usb-tools/device/*) check_own "$file" "$folder" device ;;
      *) check_own "$file" "$folder" "${header%%/*}" ;;
    esac
  done < <(grep -E '^[[:space:]]*#[[:space:]]*include' "$file")
done < <(git ls-files --cached --others --exclude-standard -- 'src/*.[ch]' 'bundle-format/*.[ch]' 'usb-tools/*.[ch]' 2>/dev/null ||
         find src bundle-format usb-tools -name '*.[ch]')

[ $bad = 0 ] && echo "the layer order holds"
exit $bad
