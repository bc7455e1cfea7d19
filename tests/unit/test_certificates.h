/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and keys made for tests alone; nobody trusts them.
 */
#ifndef AIRLOCK_TESTS_TEST_CERTIFICATES_H
#define AIRLOCK_TESTS_TEST_CERTIFICATES_H

#define CERTIFIED_UUID "0c8f4b7e-7a0c-4d59-9c55-1f2e3d4c5b6a"

/* KEY's, for CERTIFIED_UUID; KEY's, for "some device"; KEY behind the password "x". */
#define CERTIFICATE                                                                                          \
    "-----BEGIN CERTIFICATE-----\n"                                                                          \
    "MIIBtTCCAVugAwIBAgIUJt1/Vzjn4WLT4gjHQ7XVEZr2g9UwCgYIKoZIzj0EAwIw\n"                                     \
    "LzEtMCsGA1UEAwwkMGM4ZjRiN2UtN2EwYy00ZDU5LTljNTUtMWYyZTNkNGM1YjZh\n"                                     \
    "MCAXDTI2MTEyNzE4MzQyMloYDzIxMjYxMTAzMTgzNDIyWjAvMS0wKwYDVQQDDCQw\n"                                     \
    "YzhmNGI3ZS03YTBjLTRkNTktOWM1NS0xZjJlM2Q0YzViNmEwWTATBgcqhkjOPQIB\n"                                     \
    "BggqhkjOPQMBBwNCAATt2qAIO+XGjoI4WebBpuAatprf9YenkaBqa7H2kbdtMWhW\n"                                     \
    "yzUk4niak2TP8Si/sDhrUfkCPrT0Qt6HtVHrk2L8o1MwUTAdBgNVHQ4EFgQUxQBh\n"                                     \
    "Z4RQu1sgye1gInu3tywS6acwHwYDVR0jBBgwFoAUxQBhZ4RQu1sgye1gInu3tywS\n"                                     \
    "6acwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEApLqPxe0yFgc5\n"                                     \
    "43Q/jXXeKqxPqnV6G/r2cgUvb9KXnT0CIH+EPuZH0aWvnn48Y/oUFhVZ2P857iqC\n"                                     \
    "VE52cna/3bw4\n"                                                                                         \
    "-----END CERTIFICATE-----\n"

#define NAMELESS                                                                                             \
    "-----BEGIN CERTIFICATE-----\n"                                                                          \
    "MIIBgzCCASmgAwIBAgIUYKxnvs2vv2iPhad2+wVgGN61OYIwCgYIKoZIzj0EAwIw\n"                                     \
    "FjEUMBIGA1UEAwwLc29tZSBkZXZpY2UwIBcNMjYxMTI3MTgzNDIyWhgPMjEyNjEx\n"                                     \
    "MDMxODM0MjJaMBYxFDASBgNVBAMMC3NvbWUgZGV2aWNlMFkwEwYHKoZIzj0CAQYI\n"                                     \
    "KoZIzj0DAQcDQgAE7dqgCDvlxo6COFnmwabgGraa3/WHp5Ggamux9pG3bTFoVss1\n"                                     \
    "JOJ4mpNkz/Eov7A4a1H5Aj609ELeh7VR65Ni/KNTMFEwHQYDVR0OBBYEFMUAYWeE\n"                                     \
    "ULtbIMntYCJ7t7csEumnMB8GA1UdIwQYMBaAFMUAYWeEULtbIMntYCJ7t7csEumn\n"                                     \
    "MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAJGNq/OzN/AtVWNT\n"                                     \
    "Px80y0JEa5A5ZrGnvpNJc0L08meBAiBcFJXLmE8MJUHycSDvHhQZm8uiF3YXCKoU\n"                                     \
    "g2DeW6gxfw==\n"                                                                                         \
    "-----END CERTIFICATE-----\n"

#define KEY                                                                                                  \
    "-----BEGIN PRIVATE KEY-----\n"                                                                          \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzmi4EEl/Mcbc9r3A\n"                                     \
    "jakxANe1dnkeZjEXbPaOuTMbBNOhRANCAATt2qAIO+XGjoI4WebBpuAatprf9Yen\n"                                     \
    "kaBqa7H2kbdtMWhWyzUk4niak2TP8Si/sDhrUfkCPrT0Qt6HtVHrk2L8\n"                                             \
    "-----END PRIVATE KEY-----\n"

#define OTHER_KEY                                                                                            \
    "-----BEGIN PRIVATE KEY-----\n"                                                                          \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2WfwBzC7pVqXPJ8g\n"                                     \
    "mvUEaEIJyTXzaIV/h7BimtushKKhRANCAATMzp8lkv1GuvL05pcXhMr5nGmjKOFl\n"                                     \
    "o2dQdje+u1GvS2P1OFxjj0wifXkEs9VNnIY9+4WhwW8eu/qUUeYTtov5\n"                                             \
    "-----END PRIVATE KEY-----\n"

#define LOCKED_KEY                                                                                           \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                                \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjgtFokRgrZ9AICCAAw\n"                                     \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIKtzdBp8FKdAxQVahD183UEgZAq\n"                                     \
    "SpWA/4UeoT5Yao5at14fO9c9zRIZW3ThgVWcIV3gUC2sUTULFOgaLZgXg1f0qcI8\n"                                     \
    "k6dwJGzm2d/Y0P67HLVtilnd+yYPC6UEpWi5VY2vEdLnpTdCGh+ztAB12fwL6B75\n"                                     \
    "aMPKNlCp6dwIviwHVtgyhlIHP+Q8r1yhZH37o3VD9TLCIlv96Fb6+k2fKXU2pjc=\n"                                     \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#endif
