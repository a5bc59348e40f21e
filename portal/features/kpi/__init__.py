"""The KPI log of a person: counted by the platform or entered by a coordinator; summed over a period, drawn by month."""
