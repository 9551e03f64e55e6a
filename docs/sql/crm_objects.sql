-- The leads and contacts that Gong holds now, one row for each field; an object without fields has one row, too.
WITH latest AS (
    SELECT DISTINCT ON (email_address) email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    ORDER BY email_address, looked_up_at DESC
)

SELECT
    customer_data.email_address,
    customer_data.system,
    object.value ->> 'object_type' AS object_type,
    object.value ->> 'id' AS object_id,
    object.value ->> 'external_id' AS external_id,
    object.value ->> 'mirror_id' AS mirror_id,
    field.value ->> 'name' AS field_name,
    field.value -> 'value' AS field_value
FROM gong_privacy.customer_data AS customer_data
INNER JOIN latest USING (email_address, looked_up_at)
LEFT JOIN LATERAL unnest(customer_data.objects)
    WITH ORDINALITY AS object (value, place) ON TRUE
LEFT JOIN LATERAL jsonb_array_elements(
    -- Where Gong sent no list, `fields` is a JSON null, which cannot be taken apart.
    CASE WHEN jsonb_typeof(object.value -> 'fields') = 'array' THEN object.value -> 'fields' END
) WITH ORDINALITY AS field (value, place) ON TRUE
ORDER BY customer_data.email_address, customer_data.system, object.place, field.place;
