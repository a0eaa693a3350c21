-- Records of protection groups (K1..K8) and what is read out of their bodies (1.22).

CREATE TABLE IF NOT EXISTS `protection_groups` (
    `id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `project` VARCHAR(255) NOT NULL,
    `revision` BIGINT NOT NULL,
    `epoch` BIGINT NOT NULL,
    `version` BIGINT NOT NULL,
    `digest` VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `deleted` BOOLEAN NOT NULL,
    `name` VARCHAR(255),
    `live_name` VARCHAR(255),
    `status` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    `replication_type` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    `primary_site_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    `secondary_site_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    `current_primary_site_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    `failover_count` BIGINT NOT NULL,
    `last_failover_at_us` BIGINT,
    `state` LONGTEXT NOT NULL,
    `signed` LONGTEXT,
    `created_us` BIGINT NOT NULL,
    `updated_us` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `protection_groups_one_live_name` (`project`, `live_name`),
    KEY `protection_groups_by_deleted` (`deleted`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `consistency_groups` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `volume_type_name` VARCHAR(255) NOT NULL,
    `secondary_volume_type_name` VARCHAR(255) NOT NULL,
    `volume_count` BIGINT NOT NULL,
    `backend_name` VARCHAR(255),
    `primary_cg_id` VARCHAR(255),
    `secondary_cg_id` VARCHAR(255),
    `status` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    PRIMARY KEY (`protection_group_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `cg_volumes` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `disk_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `member_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `place` BIGINT NOT NULL,
    `home_volume_id` VARCHAR(255),
    `home_serial` VARCHAR(255),
    `home_array_name` VARCHAR(255),
    `other_volume_id` VARCHAR(255),
    `other_serial` VARCHAR(255),
    `other_array_name` VARCHAR(255),
    `volume_name` LONGTEXT NOT NULL,
    `size_gb` BIGINT NOT NULL,
    `bootable` BOOLEAN NOT NULL,
    `boot_index` INT NOT NULL,
    `device` VARCHAR(255),
    `tag` VARCHAR(255),
    `delete_on_termination` BOOLEAN NOT NULL,
    `status` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (`protection_group_id`, `disk_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `protection_group_members` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `member_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `place` BIGINT NOT NULL,
    `home_server_id` VARCHAR(255),
    `other_server_id` VARCHAR(255),
    `name` VARCHAR(255) NOT NULL,
    `tier` INT NOT NULL,
    `captured` LONGTEXT NOT NULL,
    `nics` LONGTEXT NOT NULL,
    PRIMARY KEY (`protection_group_id`, `member_id`),
    KEY `protection_group_members_by_home_server_id` (`home_server_id`),
    KEY `protection_group_members_by_other_server_id` (`other_server_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `replication_policies` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `home_array` VARCHAR(255) NOT NULL,
    `other_array` VARCHAR(255) NOT NULL,
    `pure_pg_name` VARCHAR(255) NOT NULL,
    `replication_interval_s` BIGINT NOT NULL,
    `rpo_max_s` BIGINT NOT NULL,
    `target_retention_s` BIGINT NOT NULL,
    PRIMARY KEY (`protection_group_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `group_mappings` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `kind` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `source` VARCHAR(255) NOT NULL,
    `target` VARCHAR(255) NOT NULL,
    PRIMARY KEY (`protection_group_id`, `kind`, `source`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `group_secrets` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `name` VARCHAR(255) NOT NULL,
    `value` LONGBLOB NOT NULL,
    `updated_us` BIGINT NOT NULL,
    PRIMARY KEY (`protection_group_id`, `name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
