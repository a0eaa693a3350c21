-- DR operations with their frozen plans, and their stories (OP-01..08).

CREATE TABLE IF NOT EXISTS `dr_operations` (
    `id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `project` VARCHAR(255) NOT NULL,
    `operation_type` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `mode` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `status` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `outcome` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    `epoch` BIGINT NOT NULL,
    `source_site` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `target_site` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `plan` LONGTEXT NOT NULL,
    `progress` INT NOT NULL,
    `steps_completed` BIGINT NOT NULL,
    `steps_failed` BIGINT NOT NULL,
    `instances_failed` BIGINT NOT NULL,
    `error_message` LONGTEXT,
    `started_at_us` BIGINT NOT NULL,
    `completed_at_us` BIGINT,
    `requested_by` VARCHAR(255) NOT NULL,
    `request_id` VARCHAR(255) NOT NULL,
    `idempotency_key` VARCHAR(255),
    PRIMARY KEY (`id`),
    UNIQUE KEY `dr_operations_one_idempotency_key` (`project`, `idempotency_key`),
    KEY `dr_operations_by_protection_group_id` (`protection_group_id`),
    KEY `dr_operations_by_status` (`status`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS `dr_operation_events` (
    `operation_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `seq` BIGINT NOT NULL,
    `at_us` BIGINT NOT NULL,
    `kind` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `lane` VARCHAR(255),
    `step` VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    `text` LONGTEXT NOT NULL,
    PRIMARY KEY (`operation_id`, `seq`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
