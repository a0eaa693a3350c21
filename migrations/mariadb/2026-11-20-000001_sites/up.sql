-- What this site is, whom it knows: its identity, sites, arrays, projects paired with the peer's.

CREATE TABLE IF NOT EXISTS `store_meta` (
    `name` VARCHAR(255) NOT NULL,
    `value` LONGBLOB NOT NULL,
    PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `site_identity` (
    `slot` INT NOT NULL,
    `site_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `installation_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `key_id` VARCHAR(255) NOT NULL,
    `secret` LONGBLOB NOT NULL,
    `created_us` BIGINT NOT NULL,
    PRIMARY KEY (`slot`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `sites` (
    `id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `name` VARCHAR(255) NOT NULL,
    `description` LONGTEXT NOT NULL,
    `site_type` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `auth_url` LONGTEXT NOT NULL,
    `region_name` VARCHAR(255) NOT NULL,
    `status` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `peer_keys` LONGTEXT NOT NULL,
    `credential` LONGBLOB,
    `checked_us` BIGINT,
    `created_us` BIGINT NOT NULL,
    `updated_us` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `sites_one_name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `arrays` (
    `id` VARCHAR(255) NOT NULL,
    `name` VARCHAR(255) NOT NULL,
    `url` LONGTEXT NOT NULL,
    `certificate` LONGTEXT,
    `allowed_projects` LONGTEXT NOT NULL,
    `token` LONGBLOB,
    `created_us` BIGINT NOT NULL,
    `updated_us` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `arrays_one_name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `tenant_mappings` (
    `id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `local_project` VARCHAR(255) NOT NULL,
    `remote_site` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `remote_project` VARCHAR(255) NOT NULL,
    `description` LONGTEXT NOT NULL,
    `created_us` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `tenant_mappings_one_remote_site` (`local_project`, `remote_site`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
