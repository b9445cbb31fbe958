-- Who logs in may do what its operations need: the function that appends is all that the writer may call, and readers read.
-- Neither may change an event, or switch off the trigger that refuses it.

-- With the rights of the owner of the events: the one who calls it needs none. Names are looked up where they are now.
ALTER FUNCTION append_events(json, text, text) SECURITY DEFINER SET search_path = public, pg_temp;
REVOKE EXECUTE ON FUNCTION append_events(json, text, text) FROM PUBLIC;

-- Makes a role if it is not there (a dump brings none), gives it its rights and its password. Roles are the cluster's, not the
-- database's: another database may be making the same one.
CREATE FUNCTION let_in(login text, new_password text, writes boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE format('CREATE ROLE %I', login);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', login, new_password);
    IF writes THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION append_events(json, text, text) TO %I', login);
    ELSE
        EXECUTE format('GRANT SELECT ON events, homes TO %I', login);
    END IF;
END;
$$;
