-- What this site remembers of a group may be incomplete: steps ask in the same look as for the epoch.

ALTER TABLE `protection_groups`
    ADD COLUMN IF NOT EXISTS `suspect` BOOLEAN NOT NULL DEFAULT FALSE;
