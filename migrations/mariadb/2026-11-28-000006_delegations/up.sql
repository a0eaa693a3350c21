-- In whose name a group's servers are made at this site.

CREATE TABLE IF NOT EXISTS `delegations` (
    `protection_group_id` CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `project` VARCHAR(255) NOT NULL,
    `user_id` VARCHAR(255) NOT NULL,
    `trust_id` VARCHAR(255),
    `trouble` LONGTEXT,
    `checked_us` BIGINT NOT NULL,
    PRIMARY KEY (`protection_group_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
