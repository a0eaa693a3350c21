-- What this site is, whom it knows: its identity, sites, arrays, projects paired with the peer's.

CREATE TABLE "store_meta" (
    "name" TEXT NOT NULL CHECK (length("name") <= 255),
    "value" BLOB NOT NULL,
    PRIMARY KEY ("name")
) STRICT;

CREATE TABLE "site_identity" (
    "slot" INTEGER NOT NULL,
    "site_id" TEXT NOT NULL CHECK (length("site_id") <= 36),
    "installation_id" TEXT NOT NULL CHECK (length("installation_id") <= 36),
    "key_id" TEXT NOT NULL CHECK (length("key_id") <= 255),
    "secret" BLOB NOT NULL,
    "created_us" INTEGER NOT NULL,
    PRIMARY KEY ("slot")
) STRICT;

CREATE TABLE "sites" (
    "id" TEXT NOT NULL CHECK (length("id") <= 36),
    "name" TEXT NOT NULL CHECK (length("name") <= 255),
    "description" TEXT NOT NULL,
    "site_type" TEXT NOT NULL CHECK (length("site_type") <= 40),
    "auth_url" TEXT NOT NULL,
    "region_name" TEXT NOT NULL CHECK (length("region_name") <= 255),
    "status" TEXT NOT NULL CHECK (length("status") <= 40),
    "peer_keys" TEXT NOT NULL,
    "credential" BLOB,
    "checked_us" INTEGER,
    "created_us" INTEGER NOT NULL,
    "updated_us" INTEGER NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("name")
) STRICT;

CREATE TABLE "arrays" (
    "id" TEXT NOT NULL CHECK (length("id") <= 255),
    "name" TEXT NOT NULL CHECK (length("name") <= 255),
    "url" TEXT NOT NULL,
    "certificate" TEXT,
    "allowed_projects" TEXT NOT NULL,
    "token" BLOB,
    "created_us" INTEGER NOT NULL,
    "updated_us" INTEGER NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("name")
) STRICT;

CREATE TABLE "tenant_mappings" (
    "id" TEXT NOT NULL CHECK (length("id") <= 36),
    "local_project" TEXT NOT NULL CHECK (length("local_project") <= 255),
    "remote_site" TEXT NOT NULL CHECK (length("remote_site") <= 36),
    "remote_project" TEXT NOT NULL CHECK (length("remote_project") <= 255),
    "description" TEXT NOT NULL,
    "created_us" INTEGER NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("local_project", "remote_site")
) STRICT;
