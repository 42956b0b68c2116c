create database if not exists agg;
