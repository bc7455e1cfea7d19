/* SPDX-License-Identifier: Apache-2.0
 *
 * The database of a device's update client, and the device's state that is made of it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "usb-tools/device/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* An ECU behind the primary has its roots in the same file here. */
static const char config[] = "[provision]\nprimary_ecu_hardware_id = \"board\"\n"
                             "[uptane]\nsecondary_config_file = \"/behind.json\"\n"
                             "[storage]\npath = \"/\"\nsqldb_path = \"sql.db\"\n";
static const char behind[] =
    "{\"docker-compose\":[{\"ecu_hardware_id\":\"docker-compose\",\"full_client_dir\":\"/.\"}]}";

static char folder[] = "/tmp/airlock-fuzz-XXXXXX";

static void remove_device(void)
{
    struct err ignored;
    if (fs_remove_at(AT_FDCWD, folder, &ignored))
        abort();
}

static void put(int dirfd, const char *name, const void *bytes, size_t len)
{
    struct err e;
    if (fs_replace_cached_at(dirfd, name, bytes, len, 0600, &e))
        abort();
}

static int open_device(void)
{
    static int fd = -1;
    struct err e;
    if (fd >= 0)
        return fd;
    AUTO_FD int conf = -1;
    if (!mkdtemp(folder) || fs_open_dir(folder, &fd, &e) ||
        fs_open_dir_at(fd, "etc/sota/conf.d", true, &conf, &e) || atexit(remove_device))
        abort();
    put(conf, "1.toml", config, strlen(config));
    put(fd, "behind.json", behind, strlen(behind));
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(facts) struct facts facts = {0};
    struct err e;
    int fd = open_device();
    put(fd, "sql.db", bytes, len);
    if (facts_load(fd, &facts, &e))
        return 0;
    if (facts.device.ecu_count == 0 || facts.memory.ecu_count > DEVICE_ECUS_MAX)
        abort();
    return 0;
}
