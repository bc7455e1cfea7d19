/* SPDX-License-Identifier: Apache-2.0
 *
 * Every error that airlock can report: one row each. docs/errors.md is made from this table by
 * docs/errors.sh. An id is public; it is never renamed and never reused.
 *
 *     ERROR(SYMBOL, "id", EXIT_…, "what it means", "what to do")
 *
 * Grouped by exit code, then by the part of the product that reports it.
 */
#ifndef ERROR
#error "define ERROR before including base/err_ids.h"
#endif

/* inside */
ERROR(INTERNAL, "internal", EXIT_INTERNAL, "a step failed that should not fail",
      "please report it with the full message")
ERROR(SYSTEM, "system", EXIT_INTERNAL, "the operating system refused a call on this machine", NULL)
ERROR(STORE_LOCKED, "store-locked", EXIT_INTERNAL, "another airlock is using this object of the store",
      "wait for it to end, then run the same command again")

ERROR(TOOL_FAILED, "tool-failed", EXIT_INTERNAL, "a program of the device could not do its part",
      "what it said itself stands before this line")
ERROR(BAD_LEDGER, "bad-ledger", EXIT_INTERNAL, "the ledger of reports is damaged",
      "move reports/ledger.db away in the state folder, and keep it; the sticks still hold what they held")

/* usage */
ERROR(USAGE, "usage", EXIT_USAGE, "the command line is wrong", "airlock --help shows the commands")
ERROR(BAD_CONFIG, "bad-config", EXIT_USAGE, "the configuration cannot be used", NULL)
ERROR(BAD_CLIENT_DATABASE, "bad-client-database", EXIT_USAGE,
      "the database of the device's update client cannot be read", NULL)
ERROR(LEDGER_VERSION, "ledger-version", EXIT_USAGE, "the ledger of reports is a newer airlock's",
      "update airlock")
ERROR(NO_PROFILE, "no-profile", EXIT_USAGE, "nobody is logged in",
      "airlock login --credentials credentials.zip")
ERROR(NOT_FETCHED, "not-fetched", EXIT_USAGE, "the lockbox is not in the store",
      "fetch it first: airlock fetch NAME")
ERROR(BAD_CREDENTIALS, "bad-credentials", EXIT_USAGE, "the credentials archive cannot be used",
      "download credentials.zip again from the cloud's web page")
ERROR(BAD_TIME, "bad-time", EXIT_USAGE, "not a time in RFC 3339",
      "write it like 2026-11-22T08:00:00Z, or 2026-11-22")
ERROR(NO_SUCH_FLEET, "no-such-fleet", EXIT_USAGE, "the account has no such fleet, or several of that name",
      "the cloud's web page shows the fleets and their ids; either names one")
ERROR(NO_SUCH_PATH, "no-such-path", EXIT_USAGE, "there is nothing under this path", NULL)
ERROR(NOT_A_LOCKBOX, "not-a-lockbox", EXIT_USAGE,
      "neither a bundle nor a lockbox directory nor a stick that carries one",
      "name a bundle (x.lockbox), a folder with metadata/, or a stick with airlock/ or update/")
ERROR(NOT_A_BASE, "not-a-base", EXIT_USAGE, "what --base names holds no OSTree image that can be told",
      "name the lockbox whose OSTree image the device has: a bundle, a lockbox directory or a fetched one")
ERROR(NOT_A_STICK, "not-a-stick", EXIT_USAGE, "no removable medium is mounted there or has this name",
      "airlock sticks shows them")
ERROR(SYSTEM_DISK, "system-disk", EXIT_USAGE, "this computer runs from this disk",
      "name a stick: airlock sticks shows them")
ERROR(ALREADY_EXISTS, "already-exists", EXIT_USAGE, "something else stands under the final name",
      "move it away or choose another destination")

ERROR(NOT_OWN_DISK, "not-own-disk", EXIT_USAGE,
      "it lies on a medium that was brought, not on the device's own disk",
      "copy it to the device, below /var, and name it there")
ERROR(BAD_DEVICE_STATE, "bad-device-state", EXIT_USAGE, "the file does not describe a device's state",
      "docs/device-state.md describes the file")

/* refused: JSON */
ERROR(BAD_JSON, "bad-json", EXIT_REFUSED, "not strict JSON",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(JSON_DUPLICATE_KEY, "json-duplicate-key", EXIT_REFUSED, "a JSON object names a key twice",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(JSON_TOO_DEEP, "json-too-deep", EXIT_REFUSED, "JSON nested deeper than any role is",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(JSON_TRAILING_BYTES, "json-trailing-bytes", EXIT_REFUSED, "bytes follow the JSON value",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(JSON_BYTE_ORDER_MARK, "json-byte-order-mark", EXIT_REFUSED, "the file begins with a byte order mark",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(TOO_LARGE, "too-large", EXIT_REFUSED, "larger than the limit for its kind",
      "nothing genuine is that large: find out where it comes from")

/* refused: roles (Uptane) */
ERROR(BAD_ROLE, "bad-role", EXIT_REFUSED, "a signed role lacks a field or has one of the wrong type or range",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(WRONG_ROLE_TYPE, "wrong-role-type", EXIT_REFUSED, "the role is of another type than its place asks for",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(BAD_KEY, "bad-key", EXIT_REFUSED, "a public key cannot be used",
      "the root must be issued anew with keys that can be used")
ERROR(BAD_SIGNATURE, "bad-signature", EXIT_REFUSED, "a signature does not match",
      "the file was changed after it was signed: fetch it again from the cloud")
ERROR(BAD_REPORT, "bad-report", EXIT_REFUSED, "the file is no report or request of a device",
      "docs/report-format.md describes the files; bring it from the device again")
ERROR(BAD_UPDATE_LOG, "bad-update-log", EXIT_REFUSED,
      "a device's update-logs.db, or a row of it, is not what one writes",
      "keep the stick as it is; the rest of it was read")
ERROR(BAD_VEHICLE_MANIFEST, "bad-vehicle-manifest", EXIT_REFUSED,
      "not the manifest that a device's client signs", "nothing of it is used; the device can write it again")
ERROR(DUPLICATE_SIGNATURE, "duplicate-signature", EXIT_REFUSED, "two signatures by the same key",
      "fetch it again; if the cloud itself serves it so, ask the owner of the account")
ERROR(THRESHOLD_NOT_MET, "threshold-not-met", EXIT_REFUSED,
      "fewer valid signatures by trusted keys than the threshold asks for",
      "the missing keys must sign it in the cloud; or the roots that are trusted are another account's")
ERROR(BAD_THRESHOLD, "bad-threshold", EXIT_REFUSED, "a threshold below one or above the number of keys",
      "the role that says so must be issued anew")
ERROR(MISSING_ROLE, "missing-role", EXIT_REFUSED, "a role that the device needs is not there",
      "fetch the lockbox again and write it anew: a file was lost on the way")
ERROR(MISSING_IMAGE_REPO, "missing-image-repo", EXIT_REFUSED, "the image repository's metadata is not there",
      "write the lockbox to the stick again: a folder was lost on the way")
ERROR(MISSING_DIRECTOR, "missing-director", EXIT_REFUSED, "the director's metadata is not there",
      "write the lockbox to the stick again: a folder was lost on the way")
ERROR(EXPIRED_ROLE, "expired-role", EXIT_REFUSED, "a role is past its date",
      "have that role renewed in the cloud, then fetch the lockbox again")
ERROR(WRONG_VERSION, "wrong-version", EXIT_REFUSED,
      "a role has another version than the one that lists it says",
      "fetch the lockbox again: its files are not of one moment")
ERROR(WRONG_HASH, "wrong-hash", EXIT_REFUSED, "content does not match its signed hash",
      "fetch it again, or write it again from where it is good")
ERROR(WRONG_LENGTH, "wrong-length", EXIT_REFUSED, "content does not have its signed length",
      "fetch it again, or write it again from where it is good")
ERROR(ROOT_GAP, "root-gap", EXIT_REFUSED, "the chain of roots has a gap",
      "fetch the lockbox again: a root was lost on the way")
ERROR(ROOT_NOT_TRUSTED, "root-not-trusted", EXIT_REFUSED,
      "the chain of roots does not continue from a trusted root",
      "do not use this source; ask the owner of the account")
ERROR(ROOT_CHANGED, "root-changed", EXIT_REFUSED,
      "a root of the same version has other content than the trusted one",
      "do not use this source; ask the owner of the account")
ERROR(ROLLBACK, "rollback", EXIT_REFUSED, "older than what was seen before",
      "do not use this source; ask the owner of the account")
ERROR(NOT_IN_SNAPSHOT, "not-in-snapshot", EXIT_REFUSED, "the snapshot does not list this role",
      "fetch the lockbox again: its files are not of one moment")
ERROR(DIRECTOR_DELEGATES, "director-delegates", EXIT_REFUSED,
      "the lockbox delegates, which a director must not",
      "do not use this lockbox; ask the owner of the account")
ERROR(BAD_DELEGATION, "bad-delegation", EXIT_REFUSED, "a delegation cannot be followed",
      "the delegation must be mended in the cloud")
ERROR(TARGET_NOT_IN_IMAGE_REPO, "target-not-in-image-repo", EXIT_REFUSED,
      "the image repository does not know a target of the lockbox",
      "upload the package again in the cloud, define the lockbox again, then fetch it")
ERROR(TARGET_MISMATCH, "target-mismatch", EXIT_REFUSED,
      "lockbox and image repository disagree about a target",
      "define the lockbox again in the cloud, then fetch it")
ERROR(TARGET_CONFLICT, "target-conflict", EXIT_REFUSED,
      "two targets of one lockbox are for the same hardware",
      "take one of the two out of the lockbox: define the lockbox again in the cloud, then fetch it")
ERROR(EMPTY_TARGET, "empty-target", EXIT_REFUSED,
      "a file target of length 0, on which the device's client crashes",
      "take the package out of the lockbox: define the lockbox again in the cloud, then fetch it")
ERROR(NON_ASCII_ROLE, "non-ascii-role", EXIT_REFUSED,
      "a signed role holds text outside ASCII, which the device verifies in another form",
      "name packages, lockboxes and versions in ASCII, then define the lockbox again")
ERROR(ODD_NUMBER, "odd-number", EXIT_REFUSED,
      "a signed role holds a number that the device prints in another form before it verifies",
      "what the package's custom data holds must be whole numbers or text")
ERROR(DEVICE_LIMIT, "device-limit", EXIT_REFUSED, "larger than the device's client reads",
      "put fewer or shorter entries into it")
ERROR(UNSUPPORTED_KEY, "unsupported-key", EXIT_REFUSED,
      "a key type or signature method that the device's client does not know",
      "today's devices know Ed25519 and RSA with 2048, 3072 or 4096 bits: the keys must be changed in the "
      "cloud")
ERROR(SECONDARY_ROOT, "secondary-root", EXIT_REFUSED,
      "an ECU behind the primary that has no root yet takes its first only from a chain of two or more",
      "issue a new root in the cloud (rotate its keys), then fetch the lockbox again")
ERROR(SECONDARY_ROLE, "secondary-role", EXIT_REFUSED,
      "an ECU behind the primary has not stored what the primary goes by, and refuses what lies there",
      "fetch the lockbox again, so that it is as new as what the device has stored")
ERROR(BAD_COMPOSE, "bad-compose", EXIT_REFUSED, "the compose file cannot be used", NULL)
ERROR(COMPOSE_FORM, "compose-form", EXIT_REFUSED,
      "the device, which reads a compose file line by line, would read something else than Docker does",
      "write it as 'docker compose config' prints it, upload it as a new package, define the lockbox anew")
ERROR(IMAGE_NOT_PINNED, "image-not-pinned", EXIT_REFUSED,
      "a compose file names a container image without its digest",
      "write the image as NAME@sha256:DIGEST, upload the file as a new package, define the lockbox anew")
ERROR(BAD_MANIFEST, "bad-manifest", EXIT_REFUSED,
      "the manifest of a container image is not one that the device takes", "build and push the image again")
ERROR(UNKNOWN_MEDIA_TYPE, "unknown-media-type", EXIT_REFUSED,
      "the device does not know manifests of this type",
      "push the image with Docker's media types, or update the device's OS first")
ERROR(BAD_IMAGE, "bad-image", EXIT_REFUSED, "a container image is not one that the device loads",
      "build and push the image again, or write the lockbox again from where it is good")
ERROR(NO_SUCH_PLATFORM, "no-such-platform", EXIT_REFUSED, "a container image is not there for a platform",
      "name the devices' platform with --platform, or push the image for it")
ERROR(PLATFORM_AMBIGUOUS, "platform-ambiguous", EXIT_REFUSED,
      "several images fit the platform equally well, and the device refuses to choose",
      "name the platform more exactly with 'platform:' in the compose file, such as linux/arm64/v8")
ERROR(STORED_NEWER, "stored-newer", EXIT_REFUSED,
      "the device has stored this role already and goes by what it has",
      "bring a lockbox that was fetched later")
ERROR(ALREADY_INSTALLED, "already-installed", EXIT_DONE, "the device has this installed already", NULL)
ERROR(INSTALLED_DIFFERS, "installed-differs", EXIT_REFUSED,
      "a package of this name and other content is installed",
      "give the package a new name or version in the cloud and define the lockbox again")
ERROR(PENDING_INSTALL, "pending-install", EXIT_REFUSED, "an earlier update waits for its reboot",
      "reboot the device first")
ERROR(WRONG_PACKAGE_KIND, "wrong-package-kind", EXIT_REFUSED,
      "the primary ECU takes OSTree images only, and this is a file",
      "take the package out of the lockbox, or give it the hardware id of another ECU")
ERROR(DEVICE_SPACE, "device-space", EXIT_REFUSED, "the device has too little free space for the packages",
      "free space on the device")
ERROR(DEVICE_CLOCK, "device-clock", EXIT_REFUSED, "the device's clock is wrong, so it decides differently",
      "set the device's clock")
ERROR(NOT_LOOKED_FOR, "not-looked-for", EXIT_NOTHING, "the device does not look for a lockbox there",
      "write with --as plain to a stick with the label that the device polls")
ERROR(MISSING_TARGET, "missing-target", EXIT_REFUSED, "the bytes of a target are not there",
      "write it again from where it is whole")
ERROR(BASE_MISSING, "base-missing", EXIT_REFUSED,
      "the lockbox lacks what another OSTree image holds, and the device does not have that one",
      "write the lockbox again without --base, or with what this device has")
ERROR(BAD_OSTREE, "bad-ostree-object", EXIT_REFUSED,
      "an object of an OSTree image has its right checksum and is not what OSTree reads",
      "have the image made and pushed again")
ERROR(BAD_SQUASHFS, "bad-squashfs", EXIT_REFUSED,
      "the squashfs image is damaged, or not one that a device mounts", "write it to the stick again")
ERROR(IMAGE_SIGNATURE, "image-signature", EXIT_REFUSED,
      "the squashfs image is not signed by the required key", "find out who made it before it is used")
ERROR(SEVERAL_LOCKBOXES, "several-lockboxes", EXIT_REFUSED,
      "the directory holds more than one lockbox, and the device takes the first of its snapshot",
      "keep one lockbox in the directory")
ERROR(NO_LOCKBOX, "no-lockbox", EXIT_NOTHING, "no lockbox that the offline snapshot lists is there",
      "write the lockbox to the stick again")
ERROR(NOTHING_TO_INSTALL, "nothing-to-install", EXIT_NOTHING, "the lockbox holds nothing for this device",
      "choose a lockbox with packages for this hardware")
ERROR(UNSAFE_NAME, "unsafe-name", EXIT_REFUSED,
      "a name that could be turned against a file system, a shell or a path it is used in", NULL)
ERROR(NEWER_IS_THERE, "newer-is-there", EXIT_REFUSED,
      "a newer version of the same lockbox stands where this one was to go",
      "fetch the lockbox again; if the older one is meant, remove the newer one first")
ERROR(EXPIRES_SOON, "expires-soon", EXIT_DONE, "a remark: less than 30 days are left", NULL)
ERROR(EXPIRES_TOO_SOON, "expires-too-soon", EXIT_REFUSED, "the lockbox ends before the date it is needed for",
      "have that role renewed in the cloud (the lockbox: define it again), then fetch it")

ERROR(REQUEST_UNKNOWN, "request-unknown", EXIT_REFUSED,
      "a device's request is signed by a key that nobody enrolled here",
      "enrol it by 'airlock reports key add NAME KEY --helper', or go on with --trust-request")
ERROR(REQUEST_OLD, "request-old", EXIT_REFUSED, "a later request of the same device was used here before",
      "get its newest request; an older one tells what is no longer so")
ERROR(NOTES_BLOCK, "notes-block", EXIT_REFUSED,
      "a device's notes in the cloud hold no block of airlock's as it writes it",
      "remove the lines from 'begin of what airlock reports' to 'end of' by hand; the next sync writes them "
      "anew")

ERROR(OTHER_DEVICE, "other-device", EXIT_REFUSED,
      "the device in the cloud is not, or no longer, the one that signed", NULL)
ERROR(OPEN_ASSIGNMENT, "open-assignment", EXIT_REFUSED,
      "a report would cancel an update that is assigned to the device in the cloud",
      "let it be installed, or cancel it in the cloud; then the same command again")
ERROR(NOT_AGREED, "not-agreed", EXIT_USAGE,
      "nobody agreed to what would be done for this device, or in its name", "agree with: --yes DEVICE")
ERROR(RELAY_REFUSED, "relay-refused", EXIT_NETWORK, "the device gateway did not take a report", NULL)
ERROR(RELAY_UNKNOWN, "relay-unknown", EXIT_NETWORK, "a report was sent, and whether it arrived is not known",
      "look at the device in the cloud; --again DEVICE sends it once more")
ERROR(NOTES_BUSY, "notes-busy", EXIT_NETWORK,
      "a device's notes in the cloud changed each time they were to be written", "run the same command again")

/* refused: bundles */
ERROR(NOT_A_BUNDLE, "not-a-bundle", EXIT_REFUSED, "the file is not an airlock bundle",
      "name the bundle's head, x.lockbox; x.lockbox.001 and so on are its volumes")
ERROR(BUNDLE_VERSION, "bundle-version", EXIT_REFUSED, "the bundle was written by a newer format",
      "update airlock")
ERROR(BUNDLE_FEATURE, "bundle-feature", EXIT_REFUSED,
      "the bundle asks for a feature that this version does not know", "update airlock")
ERROR(BUNDLE_DAMAGED, "bundle-damaged", EXIT_REFUSED, "the bundle's bytes are damaged",
      "write it to the stick again; if it happens twice, replace the stick")
ERROR(BUNDLE_TRUNCATED, "bundle-truncated", EXIT_REFUSED, "the bundle ends early",
      "write it to the stick again")
ERROR(BUNDLE_SIGNATURE, "bundle-signature", EXIT_REFUSED, "the bundle's own signature is wrong or missing",
      NULL)
ERROR(BUNDLE_SIGNER, "bundle-signer", EXIT_REFUSED, "the bundle is not signed by a required key",
      "find out who packed it before it is used")
ERROR(BUNDLE_SHARED, "bundle-shared", EXIT_REFUSED, "the bundle shares contents with others beside it",
      "make it whole first: airlock repack FILE.lockbox")
ERROR(BUNDLE_NEEDED, "bundle-needed", EXIT_REFUSED, "another bundle borrows contents of this one",
      "make the other one whole first: airlock repack FILE.shared.lockbox")
ERROR(BUNDLE_LIMIT, "bundle-limit", EXIT_REFUSED, "the bundle exceeds a limit of the format", NULL)
ERROR(BUNDLE_INCONSISTENT, "bundle-inconsistent", EXIT_REFUSED, "parts of the bundle contradict each other",
      NULL)
ERROR(VOLUME_MISSING, "volume-missing", EXIT_REFUSED, "a volume of the bundle is not there",
      "copy the bundle again with all its volumes (x.lockbox.001, .002 ...)")
ERROR(VOLUME_FOREIGN, "volume-foreign", EXIT_REFUSED, "a volume belongs to another bundle",
      "copy the bundle again with all its volumes (x.lockbox.001, .002 ...)")

/* network and cloud */
ERROR(NETWORK, "network", EXIT_NETWORK, "the server cannot be reached or the connection broke",
      "check the connection; the same command goes on where it stopped")
ERROR(NETWORK_STALLED, "network-stalled", EXIT_NETWORK, "the server stopped sending",
      "the same command goes on where it stopped")
ERROR(TLS, "tls", EXIT_NETWORK, "the server's certificate or the TLS connection was refused",
      "of an inspecting proxy, or a server of your own, give the certificate with --cacert")
ERROR(HTTP_STATUS, "http-status", EXIT_NETWORK, "the server answered with an error",
      "try again later; the same command goes on where it stopped")
ERROR(RATE_LIMITED, "rate-limited", EXIT_NETWORK, "the cloud asks for slower requests",
      "wait a minute, then run the same command again")
ERROR(LOGIN_REFUSED, "login-refused", EXIT_NETWORK, "the cloud refused the login",
      "airlock login with fresh credentials")
ERROR(NOT_ALLOWED, "not-allowed", EXIT_NETWORK, "the login has no right to this",
      "ask the owner of the account for credentials that have it")
ERROR(NO_SUCH_LOCKBOX, "no-such-lockbox", EXIT_NETWORK, "the cloud has no lockbox of this name",
      "airlock list shows the names")
ERROR(NO_SUCH_FILE, "no-such-file", EXIT_NETWORK, "the server has no such file", NULL)
ERROR(NO_SUCH_COMMIT, "no-such-commit", EXIT_NETWORK, "no server has the commit of an OSTree image",
      "ask the owner of the account whether the image is still there; airlock login --feed-url names another "
      "feed")
ERROR(BAD_ANSWER, "bad-answer", EXIT_NETWORK, "the server's answer makes no sense", NULL)
ERROR(BAD_URL, "bad-url", EXIT_NETWORK, "an address that is no plain http or https URL", NULL)
ERROR(BAD_REDIRECT, "bad-redirect", EXIT_NETWORK, "the server redirects to where no request may go", NULL)

/* medium */
ERROR(NO_SPACE, "no-space", EXIT_MEDIUM, "no space left", "free some space, then run the same command again")
ERROR(READ_ONLY, "read-only", EXIT_MEDIUM, "the destination cannot be written",
      "is the lock switch of the stick on, or is it mounted for reading only?")
ERROR(NO_PLACE, "no-place", EXIT_MEDIUM,
      "the device has no folder that survives updates and may hold a program",
      "mount /var without noexec, and for writing")
ERROR(MEDIUM_IO, "medium-io", EXIT_MEDIUM, "reading or writing the medium failed",
      "try again; if it happens twice, replace the stick")
ERROR(READ_BACK, "read-back", EXIT_MEDIUM, "the medium does not return what was written to it",
      "replace the stick")
ERROR(FAKE_CAPACITY, "fake-capacity", EXIT_MEDIUM, "the medium keeps less than it says, or is worn",
      "trust it with nothing, and replace it")
ERROR(FILE_TOO_LARGE, "file-too-large", EXIT_MEDIUM, "the file system cannot hold a file of this size",
      "use another file system, or a bundle in volumes")
ERROR(NO_UDISKS, "no-udisks", EXIT_MEDIUM, "udisks2, which unmounts for a normal user, does not answer",
      "install udisks2, or unmount as root")
ERROR(STICK_BUSY, "stick-busy", EXIT_MEDIUM, "a program still uses the stick",
      "close what has files of it open or stands in a folder of it, then run the same command again")
ERROR(EJECT_REFUSED, "eject-refused", EXIT_MEDIUM, "udisks2 did not unmount the stick or power it off",
      "do not pull it yet: unmount it as root")
