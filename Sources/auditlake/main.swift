print("auditlake")
