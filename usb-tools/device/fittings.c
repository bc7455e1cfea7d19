/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/fittings.h"

#include <inttypes.h>

#include "base/mem.h"
#include "usb-tools/device/stage.h"

const char *fitting_client(void)
{
    return "[uptane]\n"
           "enable_offline_updates = true\n"
           "offline_updates_source = \"" STAGE_SOURCE "\"\n";
}

/* What is mounted and formatted otherwise is not touched: each driver of a file system is one more that a
 * hostile stick can attack. */
const char *fitting_rule(void)
{
    return "ACTION==\"add\", SUBSYSTEM==\"block\", SUBSYSTEMS==\"usb\", "
           "ENV{ID_FS_TYPE}==\"vfat|exfat|ext4\", "
           "TAG+=\"systemd\", ENV{SYSTEMD_WANTS}+=\"airlock-stick@%k.service\"\n";
}

/* BindsTo: a stick that is pulled ends its unit, so that the same one, put in again, starts it anew. */
static const char unit_head[] = "[Unit]\n"
                                "Description=Take what the stick %I carries for this device, and report\n"
                                "BindsTo=dev-%i.device\n"
                                "After=dev-%i.device aktualizr-torizon.service\n"
                                "\n"
                                "[Service]\n"
                                "Type=oneshot\n";

/* What mounts, changes owners and renames needs these capabilities; what reads the stick gives up all. */
static const char unit_sandbox[] =
    "# 4: there is nothing for this device on it\n"
    "SuccessExitStatus=4\n"
    "StandardOutput=journal+console\n"
    "StandardError=journal+console\n"
    "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SETUID CAP_SETGID CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER\n"
    "NoNewPrivileges=yes\n"
    "ProtectSystem=strict\n"
    "ReadWritePaths=/" STAGE_FOLDER "\n"
    "ProtectHome=yes\n"
    "PrivateTmp=yes\n"
    "PrivateNetwork=yes\n"
    "IPAddressDeny=any\n"
    "RestrictAddressFamilies=AF_UNIX\n"
    "RestrictNamespaces=pid net ipc\n"
    "ProtectKernelModules=yes\n"
    "ProtectKernelLogs=yes\n"
    "ProtectControlGroups=yes\n"
    "ProtectClock=yes\n"
    "ProtectHostname=yes\n"
    "ProtectProc=invisible\n"
    "RestrictRealtime=yes\n"
    "RestrictSUIDSGID=yes\n"
    "LockPersonality=yes\n"
    "MemoryDenyWriteExecute=yes\n"
    "SystemCallArchitectures=native\n"
    "SystemCallFilter=@system-service @mount\n"
    "DevicePolicy=closed\n"
    "DeviceAllow=block-sd rw\n"
    "DeviceAllow=block-blkext rw\n"
    "MemoryMax=256M\n"
    "TasksMax=64\n"
    "UMask=0022\n";

char *fitting_unit(const char *program, int64_t wait_s, const char *led)
{
    AUTO_FREE char *with_led = led ? mem_format(" --led %s", led) : mem_strdup("");
    return mem_format("%sExecStart=%s visit --wait %" PRId64 "%s /dev/%%I\n%s%s", unit_head, program, wait_s,
                      with_led, unit_sandbox,
                      led ? "# a LED is lit through /sys\nProtectKernelTunables=no\n"
                          : "ProtectKernelTunables=yes\n");
}
