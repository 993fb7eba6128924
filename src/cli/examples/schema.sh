# What fields has a report?
oversell-sim schema
# Keep the schema beside a program that reads reports
oversell-sim schema > report.schema.json
