-- What a new group of the two projects maps, unless it says otherwise.

ALTER TABLE `tenant_mappings`
    ADD COLUMN IF NOT EXISTS `mappings` LONGTEXT NOT NULL DEFAULT '{}';
