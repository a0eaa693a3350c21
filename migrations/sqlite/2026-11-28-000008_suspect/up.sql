-- What this site remembers of a group may be incomplete: steps ask in the same look as for the epoch.

ALTER TABLE "protection_groups"
    ADD COLUMN "suspect" INTEGER NOT NULL DEFAULT 0 CHECK ("suspect" IN (0, 1));
