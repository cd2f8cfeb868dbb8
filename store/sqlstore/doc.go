// Package sqlstore keeps everything of package store in SQLite or PostgreSQL.
package sqlstore
