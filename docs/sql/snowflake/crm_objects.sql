-- The leads and contacts that Gong holds now, one row for each field. An object without fields has one row too.
WITH latest AS (
    SELECT email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
)

SELECT
    customer_data.email_address,
    customer_data.system,
    held.value:object_type::varchar AS object_type,
    held.value:id::varchar AS object_id,
    held.value:external_id::varchar AS external_id,
    held.value:mirror_id::varchar AS mirror_id,
    field.value:name::varchar AS field_name,
    field.value:value AS field_value
FROM gong_privacy.customer_data AS customer_data
INNER JOIN latest
    ON customer_data.email_address = latest.email_address AND customer_data.looked_up_at = latest.looked_up_at,
    LATERAL flatten(input => customer_data.objects, outer => TRUE, mode => 'ARRAY') AS held,
    LATERAL flatten(input => held.value:fields, outer => TRUE, mode => 'ARRAY') AS field
ORDER BY customer_data.email_address, customer_data.system, held.index, field.index;
