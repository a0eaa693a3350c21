-- In whose name a group's servers are made at this site.

CREATE TABLE "delegations" (
    "protection_group_id" TEXT NOT NULL CHECK (length("protection_group_id") <= 36),
    "project" TEXT NOT NULL CHECK (length("project") <= 255),
    "user_id" TEXT NOT NULL CHECK (length("user_id") <= 255),
    "trust_id" TEXT CHECK (length("trust_id") <= 255),
    "trouble" TEXT,
    "checked_us" INTEGER NOT NULL,
    PRIMARY KEY ("protection_group_id")
) STRICT;
