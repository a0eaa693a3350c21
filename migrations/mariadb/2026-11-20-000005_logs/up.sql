-- What is kept for people: overtaken records, the audit trail, answers to repeated requests.

CREATE TABLE IF NOT EXISTS `sync_log` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `seq` BIGINT NOT NULL,
    `kind` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `epoch` BIGINT NOT NULL,
    `version` BIGINT NOT NULL,
    `digest` VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `content` LONGTEXT NOT NULL,
    `at_us` BIGINT NOT NULL,
    PRIMARY KEY (`protection_group_id`, `seq`),
    UNIQUE KEY `sync_log_one_digest` (`protection_group_id`, `kind`, `digest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `audit` (
    `id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `at_us` BIGINT NOT NULL,
    `project` VARCHAR(255) NOT NULL,
    `user_id` VARCHAR(255) NOT NULL,
    `action` VARCHAR(255) NOT NULL,
    `target` VARCHAR(255) NOT NULL,
    `outcome` VARCHAR(255) NOT NULL,
    `request_id` VARCHAR(255) NOT NULL,
    `detail` LONGTEXT NOT NULL,
    PRIMARY KEY (`id`),
    KEY `audit_by_project` (`project`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `idempotency_keys` (
    `project` VARCHAR(255) NOT NULL,
    `idem_key` VARCHAR(255) NOT NULL,
    `request_digest` VARCHAR(255) NOT NULL,
    `response_status` INT,
    `response_body` LONGTEXT,
    `created_us` BIGINT NOT NULL,
    PRIMARY KEY (`project`, `idem_key`),
    KEY `idempotency_keys_by_created_us` (`created_us`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
