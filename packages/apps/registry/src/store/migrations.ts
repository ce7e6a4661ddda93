import type { Migration } from '@berth/database'

export const migrations: readonly Migration[] = [
  `
  CREATE TABLE repository (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE blob_link (
    repository TEXT NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    linked_ms INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blob_link_digest ON blob_link (digest);
  CREATE TABLE manifest (
    repository TEXT NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    artifact_type TEXT,
    annotations TEXT,
    subject TEXT,
    pushed_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifest_digest ON manifest (digest);
  CREATE INDEX manifest_subject ON manifest (repository, subject);
  CREATE TABLE tag (
    repository TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifest ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tag_digest ON tag (repository, digest);
  CREATE TABLE manifest_need (
    repository TEXT NOT NULL,
    manifest TEXT NOT NULL,
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (repository, manifest, digest),
    FOREIGN KEY (repository, manifest) REFERENCES manifest (repository, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifest_need_digest ON manifest_need (repository, digest);
  CREATE TABLE upload (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
]
