-- The ledger: one row per intent, written before the call and completed after it (S2, S12).

CREATE TABLE IF NOT EXISTS `effects` (
    `effect_key` VARCHAR(255) NOT NULL,
    `operation_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `project` VARCHAR(255) NOT NULL,
    `site_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `lane` VARCHAR(255) NOT NULL,
    `stage` BIGINT NOT NULL,
    `place` BIGINT NOT NULL,
    `step` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `kind` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `state` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `object_id` VARCHAR(255),
    `detail` LONGTEXT NOT NULL,
    `attempts` BIGINT NOT NULL,
    `error` LONGTEXT,
    `intended_us` BIGINT NOT NULL,
    `settled_us` BIGINT,
    PRIMARY KEY (`effect_key`),
    KEY `effects_by_operation_id` (`operation_id`),
    KEY `effects_by_protection_group_id` (`protection_group_id`),
    KEY `effects_by_state` (`state`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
