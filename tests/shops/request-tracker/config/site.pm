# What request-tracker5's packages ask at their installation. Where the database is, the environment says.
Set($rtname, 'rt.example.com');
Set($Organization, 'example.com');
Set($WebDomain, 'rt.example.com');
Set($WebPort, 80);
Set($DatabaseType, 'Pg');
Set($DatabaseHost, $ENV{DB_HOST});
Set($DatabasePort, $ENV{DB_PORT});
Set($DatabaseName, $ENV{DB_NAME});
Set($DatabaseUser, $ENV{DB_USER});
Set($DatabasePassword, $ENV{DB_PASSWORD});
Set($DatabaseAdmin, $ENV{DB_USER});
# Mail is printed and not sent.
Set($MailCommand, 'testfile');
1;
