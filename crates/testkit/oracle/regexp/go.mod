module plomb.dev/oracle/regexp

go 1.24
