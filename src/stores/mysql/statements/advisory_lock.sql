-- A lock that has nothing to do with any row, nor with a transaction: a session that asks for it by the same name
-- waits. 1 if it was to be had in time.
SELECT GET_LOCK(CONCAT('oversell_sim_', :item), :patience_s)
