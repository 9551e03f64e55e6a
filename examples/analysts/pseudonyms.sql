-- Turns addresses into the pseudonyms that this project loads, for the query whose file follows:
--
--     psql -v addresses='jane.doe@example.com' -f pseudonyms.sql -f coverage.sql
--
-- Write the addresses exactly as in the tap's list, with white space between them. The salt is that of `.env`, or the
-- one that -v salt='…' gives. The result shows each address beside its pseudonym.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?addresses}
\else
    \warn Set the addresses: psql -v addresses="jane.doe@example.com" -f pseudonyms.sql -f coverage.sql
\endif
\if :{?salt}
\else
    \set salt ''
    \getenv salt TAP_GONG_PRIVACY_STREAM_MAP_CONFIG_SALT
\endif
SELECT :'salt' = '' AS is_salt_missing \gset
\if :is_salt_missing
    \warn Set the salt: export TAP_GONG_PRIVACY_STREAM_MAP_CONFIG_SALT, or psql -v salt="…" ...
    \unset salt
\endif

SELECT
    rtrim(entry.word, ',') AS email_address,
    encode(sha256(convert_to(:'salt' || rtrim(entry.word, ','), 'UTF8')), 'hex') AS pseudonym
FROM regexp_split_to_table(:'addresses', '[[:space:]]+') WITH ORDINALITY AS entry (word, place)
WHERE rtrim(entry.word, ',') <> ''
ORDER BY entry.place;

-- The queries read the variable `addresses`. From here on it holds the pseudonyms, in the same order.
SELECT
    string_agg(encode(sha256(convert_to(:'salt' || rtrim(entry.word, ','), 'UTF8')), 'hex'), ' ' ORDER BY entry.place)
        AS addresses
FROM regexp_split_to_table(:'addresses', '[[:space:]]+') WITH ORDINALITY AS entry (word, place)
WHERE rtrim(entry.word, ',') <> ''
\gset
